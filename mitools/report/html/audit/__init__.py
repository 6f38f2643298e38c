"""The page of an audit, a file a part."""
