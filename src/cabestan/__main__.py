"""The command line's first lines: of `python -m cabestan`, and of the program `cabestan`."""

import gc

#: what a start imports stays; to look through it for what could go, again and again, would take a tenth of the start
_OBJECTS = 100_000


def main() -> None:
    gc.set_threshold(_OBJECTS)
    from cabestan.cli.main import main as command_line

    command_line()


if __name__ == "__main__":
    main()
