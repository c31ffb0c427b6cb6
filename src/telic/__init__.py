"""telic: program language models instead of prompting them."""
