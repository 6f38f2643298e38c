"""What pretraining brings to detection and instance segmentation, with torchvision's detectors."""
