"""What a review by people says: how many errors there are, how many are left, and when to stop."""
