"""Methods of several views with an encoder each: contrastive multiview coding, predictive learning."""
