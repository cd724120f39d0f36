"""What the user did wrong, told in one sentence."""


class InputError(ValueError):
    """Bad input: a value, a file or a combination of options that cannot work.

    The message is one sentence for the user: what, where, the rule, the remedy. The command line
    prints it without a traceback; any other exception is a bug of ours and keeps its traceback.
    """
