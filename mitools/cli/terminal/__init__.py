"""How commands look on a terminal: tables, pages, examples, and options from a file."""
