"""Every column of an audit, a study or a plane: one registry with one set of settings."""
