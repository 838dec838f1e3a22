"""How heavy passes run: three small functions over splits, on threads here."""
