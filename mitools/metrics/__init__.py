"""What mutual information is compared with: measures of representation quality on frozen features."""
