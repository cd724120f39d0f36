"""What Hydra says in several lines, in one sentence with a remedy."""

from collections.abc import Sequence

from hydra.errors import MissingConfigException, OverrideParseException
from omegaconf.errors import ConfigAttributeError, ConfigKeyError

from tandem.config.catalogue import View, option_names, read_option, view
from tandem.config.folders import own_config_folder
from tandem.core.command_line import key_of, shell_override
from tandem.core.errors import InputError, nearest
from tandem.data.text_files import read_text

OTHER_NAMES = {
    "batch_size": "max_sentences",
    "beam": "width",
    "beam_size": "width",
    "epochs": "max_epochs",
    "grad_clip": "gradient_clip_val",
    "label_smoothing": "smoothing",
    "learning_rate": "lr",
    "num_beams": "width",
    "num_epochs": "max_epochs",
    "steps": "max_steps",
    "vocab_size": "vocabulary_size",
}
"""Names that other programs have for keys of ours."""


def config_mistake(error: Exception, config_name: str, arguments: list[str]) -> InputError:
    """Say in one sentence what is wrong with a command line.

    :param error: raised while the config was composed or its interpolations resolved.
    :param config_name: the YAML file at the root of ``conf/``.
    :param arguments: the command line, from which the nearest names are found.
    """
    if isinstance(error, MissingConfigException) and error.missing_cfg_file:
        return _unknown_option(str(error.missing_cfg_file), error.options or [])
    if isinstance(error, OverrideParseException):
        return InputError(
            f"The argument {error.override} cannot be read; {_quoted_remedy(str(error.override))}."
        )
    cause = error.__cause__
    if isinstance(cause, ConfigAttributeError | ConfigKeyError) and cause.full_key:
        return _unknown_key(cause.full_key, config_name, arguments)
    first, *_ = str(error).splitlines() or [type(error).__name__]
    if first.startswith("Ambiguous value"):
        argument = first.partition("'")[2].removesuffix("'")
        return InputError(
            f"{argument} has several values; add --multirun to run each of them"
            f"{_one_text_remedy(argument, config_name)}."
        )
    if first.startswith("Could not append"):
        return InputError(f"{first.rstrip('.')}; leave out the + before it.")
    if first.startswith("Could not override"):
        group = first.split("'")[1]
        return InputError(
            f"tandem {config_name} has no group {group}; leave it out, as a trained run keeps its "
            f"own, or see tandem {config_name} --help for what can be chosen."
        )
    return InputError(
        f"The config does not fit together: {first.rstrip('.')}; correct the command line."
    )


def _quoted_remedy(argument: str) -> str:
    """How to write an argument that is no override, as far as can be told what is meant."""
    key, equals, text = argument.partition("=")
    if equals and key and text.strip() and text.strip()[0] not in "[{'\"":
        return f"for a text with special characters write {shell_override(key, text)}"
    return "write KEY=VALUE, and quote a value with special characters twice: 'KEY=\"VALUE\"'"


def _one_text_remedy(argument: str, config_name: str) -> str:
    """How to write a text that has commas, where the key may have a text."""
    key, _, text = argument.partition("=")
    if key in view(config_name).groups:
        return ""
    return f", or write {shell_override(key, text)} if it is one text"


def check_groups(config_name: str, arguments: list[str]) -> None:
    """Refuse what cannot be an option of a group, such as a number, on which Hydra fails, and own
    configs that are no text.

    :raises InputError: for the first such argument or file.
    """
    own = own_config_folder()
    for path in own.rglob("*.yaml") if own else ():
        read_text(path)
    groups = view(config_name).groups
    for argument in arguments:
        name, equals, value = argument.partition("=")
        if not equals or name not in groups:
            continue
        options = option_names(groups[name].group)
        words = [word.strip() for word in value.strip("[]").split(",")]
        if not all(word in options for word in words):
            none = f"; for none of them write {name}=none" if "none" in options else ""
            raise InputError(
                f"{name}={value} is not an option; the options are {', '.join(options)}{none}."
            )


def _unknown_option(missing: str, options: Sequence[str]) -> InputError:
    """``missing`` is a group with an option, such as ``attention/aditive``."""
    group, _, option = missing.rpartition("/")
    if not options:
        group, _, option = missing.partition("/")
        options = option_names(group)
    return InputError(
        f"{group}={option} is not an option{nearest(option, options)}; the options are "
        f"{', '.join(options)}."
    )


def _unknown_key(key: str, config_name: str, arguments: list[str]) -> InputError:
    """``key`` is a full one, such as ``encoder.num_layer``, or the part of it that is unknown."""
    written = (key_of(item) for item in arguments)
    key = next((one for one in written if f"{one}.".startswith(f"{key}.")), key)
    try:
        known = view(config_name, [item for item in arguments if key not in item])
    except InputError:  # an option does not exist either
        known = view(config_name)
    parent, _, name = key.rpartition(".")
    usual = ".".join(filter(None, (parent, OTHER_NAMES.get(name, name))))
    if usual in known.entries:
        return InputError(f"The key {key} does not exist; write {usual}.")
    if remedy := of_another_option(usual, known):
        meant = "" if usual == key else f" does not exist, but {usual}"
        return InputError(f"The key {key}{meant} belongs to {remedy}")
    names = _children(parent, known)
    near = nearest(name, names)
    same = [one for one in known.entries if one.endswith(f".{usual}")]
    if same and (not near or name in OTHER_NAMES):
        near = f" (did you mean {' or '.join(same)}?)"
    where = f"{parent} has" if parent else "there are"
    listed = f"; {where} {', '.join(names)}" if names else ""
    return InputError(f"The key {key} does not exist{near}{listed}.")


def of_another_option(key: str, known: View) -> str:
    """The options that a key belongs to, and what to add, if none of them is chosen; or nothing."""
    for default in known.groups.values():
        inside = key.removeprefix(f"{default.package}.")
        having = [one for one in option_names(default.group) if _has(default.group, one, inside)]
        if inside != key and having:
            *others, last = having
            names = f"{', '.join(others)} or {last}" if others else last
            chosen = ",".join(default.options) or "null"
            first = f"[{having[0]}]" if default.is_list else having[0]
            return (
                f"{default.name}={names}, but {default.name}={chosen} is chosen; add "
                f"{default.name}={first}, or leave it out."
            )
    return ""


def _has(group: str, option: str, key: str) -> bool:
    file = read_option(group, option)
    return (f"{group}.{key}" if file.is_global else key) in file.entries


def _children(parent: str, known: View) -> list[str]:
    """The keys, and at the root the groups, right below a key."""
    start = f"{parent}." if parent else ""
    inside = (one.removeprefix(start) for one in known.entries if one.startswith(start))
    groups = () if parent else (one.package for one in known.groups.values())
    return sorted({one.partition(".")[0] for one in (*inside, *groups)})
