"""EEGNet against braindecode's: a training step of 64 trials of 1000 samples, one thread.

python benchmarks/eegnet.py
python benchmarks/eegnet.py --batch 8 --times 256 --repeats 1
"""

from networks import against

if __name__ == "__main__":
    against("EEGNet", "EEGNet", __doc__, channels=(64, 22))
