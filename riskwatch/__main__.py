"""python -m riskwatch."""

from riskwatch.cli import main

if __name__ == "__main__":
    main()
