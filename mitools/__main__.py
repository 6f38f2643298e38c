"""``python -m mitools``, for launchers that want a module: ``accelerate launch --module mitools ...``."""

from mitools.cli.main import main

main()
