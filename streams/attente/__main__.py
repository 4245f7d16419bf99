"""`python -m attente` is the command `attente`."""

from attente.cli.main import main

if __name__ == "__main__":
    main()
