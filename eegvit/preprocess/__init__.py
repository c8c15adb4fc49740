"""What is done to trials before anything is learned: numpy in, numpy out."""
