"""Networks of symmetric positive definite matrices, such as covariances."""
