"""The one exception a user meets when the request was wrong."""


class InputError(ValueError):
    """The request cannot be carried out as written.

    The message is a single line that names the thing and the remedy; the command line prints it
    and leaves with exit code 2.
    """
