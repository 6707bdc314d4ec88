"""`python -m cabestan` is the command line."""

from cabestan.cli.main import main

if __name__ == "__main__":
    main()
