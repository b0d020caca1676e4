"""The least that Flask can do, for comparison."""

from flask import Flask, Response

app = Flask("hello")
app.add_url_rule("/v1/vendors", view_func=lambda: Response("hello, world\n", mimetype="text/plain"))
