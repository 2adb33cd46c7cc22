"""python -m benchmarks.judge [--quick | --full] [--scenario NAME ...] [--csv NOISE.csv] [--speed]"""

from benchmarks.judge.run import main

if __name__ == "__main__":
    main()
