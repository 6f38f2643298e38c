"""Several encoders on the same items: how alike they are, and what one knows that another does not."""
