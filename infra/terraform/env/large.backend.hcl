bucket = "example-training-large-terraform"
prefix = "feedback-loop/large"
