"""Labelled images as people keep them: files, tables, shards and arrays, decoded one at a time."""
