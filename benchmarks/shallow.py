"""ShallowConvNet against braindecode's: a training step of 64 trials of 1000 samples, one thread.

python benchmarks/shallow.py
python benchmarks/shallow.py --batch 8 --times 256 --repeats 1
"""

from networks import against

if __name__ == "__main__":
    against("ShallowConvNet", "ShallowFBCSPNet", __doc__, channels=(64, 22))
