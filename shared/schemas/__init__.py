"""The one declaration of what a valid row of each source is: marshmallow schemas, pure, made once and reused."""
