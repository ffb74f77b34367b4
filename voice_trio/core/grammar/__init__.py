"""What was heard, held against sentences with slots: which of them it is, and what stands in the slots."""
