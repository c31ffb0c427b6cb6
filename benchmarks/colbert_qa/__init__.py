"""ColBERT-QA on two public sets, round by round."""
