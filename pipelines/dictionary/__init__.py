"""The data dictionary as web pages that open without a server: `isthmus docs FOLDER`."""
