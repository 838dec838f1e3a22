"""What the versions benchmark compares: burnish and its peers, one file each."""
