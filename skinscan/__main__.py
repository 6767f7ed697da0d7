"""``python -m skinscan``: the same as the command ``skinscan``."""

from skinscan.cli import main

if __name__ == "__main__":
    main()
