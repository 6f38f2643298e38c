"""Views: what two or more looks at one item are."""
