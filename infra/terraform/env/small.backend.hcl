bucket = "example-training-terraform"
prefix = "feedback-loop/small"
