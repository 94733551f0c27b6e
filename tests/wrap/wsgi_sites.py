"""The small site of `sites.py` in the WSGI frameworks."""

from typing import Any

import bottle
import falcon
import flask
from pyramid.config import Configurator
from pyramid.httpexceptions import HTTPFound, HTTPMethodNotAllowed
from pyramid.response import Response
from pyramid.session import SignedCookieSessionFactory
from pyramid.wsgi import wsgiapp2
from werkzeug.middleware.dispatcher import DispatcherMiddleware

RAW = "_ga_raw=1; Path=/"
PIECES = [b"one ", b"two ", b"three"]


def _sub(environ: Any, start_response: Any) -> Any:
    """The app that is mounted under /sub."""
    start_response("200 OK", [("Set-Cookie", "_ga_sub=1"), ("Set-Cookie", "session=1")])
    return [b"sub"]


def flask_site() -> Any:
    app = flask.Flask(__name__)
    app.secret_key = "k"

    def filled(response: Any) -> Any:
        flask.session["basket"] = 1
        response.set_cookie("_ga", "1")
        response.headers.add("Set-Cookie", RAW)
        return response

    app.add_url_rule("/page", "page", lambda: filled(flask.Response("page")), methods=["GET"])
    app.add_url_rule("/empty", "empty", lambda: filled(flask.Response(status=204)))
    app.add_url_rule("/same", "same", lambda: filled(flask.Response(status=304)))
    app.add_url_rule("/away", "away", lambda: filled(flask.redirect("/page", 302)))
    app.add_url_rule("/stream", "stream", lambda: filled(flask.Response(iter(PIECES))))

    @app.get("/boom")
    def boom() -> str:
        raise RuntimeError("boom")

    @app.errorhandler(404)
    def not_found(error: Exception) -> Any:
        return "none", 404, {"Set-Cookie": "_ga_404=1"}

    @app.errorhandler(500)
    def failed(error: Exception) -> Any:
        return "sorry", 500, {"Set-Cookie": "_ga_500=1"}

    @app.after_request
    def hook(response: Any) -> Any:
        response.set_cookie("_ga_hook", "1")
        return response

    app.wsgi_app = DispatcherMiddleware(app.wsgi_app, {"/sub": _sub})  # type: ignore[method-assign]
    return app


def falcon_site() -> Any:
    class Hook:
        def process_response(
            self, request: Any, response: Any, resource: Any, succeeded: bool
        ) -> None:
            response.set_cookie("_ga_hook", "1")

    class Page:
        def __init__(self, status: int, **attributes: Any) -> None:
            self.status = status
            self.attributes = attributes

        def on_get(self, request: Any, response: Any) -> None:
            response.status = self.status
            response.set_cookie("session", "1")
            response.set_cookie("_ga", "1")
            response.append_header("Set-Cookie", RAW)
            for name, value in self.attributes.items():
                setattr(response, name, value)

    class Boom:
        def on_get(self, request: Any, response: Any) -> None:
            raise RuntimeError("boom")

    def answer(status: int, name: str) -> Any:
        def handler(request: Any, response: Any, error: Any, params: Any) -> None:
            response.status = status
            response.set_cookie(name, "1")

        return handler

    app = falcon.App(middleware=[Hook()])
    app.add_route("/page", Page(200, text="page"))
    app.add_route("/empty", Page(204))
    app.add_route("/same", Page(304))
    app.add_route("/away", Page(302, location="/page"))
    app.add_route("/stream", Page(200, stream=PIECES))
    app.add_route("/boom", Boom())
    app.add_error_handler(Exception, answer(500, "_ga_500"))
    app.add_error_handler(falcon.HTTPError, app._http_error_handler)
    app.add_error_handler(falcon.HTTPNotFound, answer(404, "_ga_404"))
    return app


def pyramid_site() -> Any:
    def page(make: Any) -> Any:
        def view(request: Any) -> Any:
            if request.method != "GET":
                raise HTTPMethodNotAllowed
            request.session["basket"] = 1
            response = make()
            response.set_cookie("_ga", "1")
            response.headerlist.append(("Set-Cookie", RAW))
            return response

        return view

    def boom(request: Any) -> Any:
        raise RuntimeError("boom")

    def answer(status: int, name: str) -> Any:
        def view(context: Any, request: Any) -> Any:
            response = Response(status=status)
            response.set_cookie(name, "1")
            return response

        return view

    def hook(handler: Any, registry: Any) -> Any:
        def tween(request: Any) -> Any:
            response = handler(request)
            response.set_cookie("_ga_hook", "1")
            return response

        return tween

    views = {
        "page": page(lambda: Response("page")),
        "empty": page(lambda: Response(status=204)),
        "same": page(lambda: Response(status=304)),
        "away": page(lambda: HTTPFound("/page")),
        "stream": page(lambda: Response(app_iter=iter(PIECES))),
        "boom": boom,
    }
    with Configurator() as config:
        config.set_session_factory(SignedCookieSessionFactory("k"))
        for name, view in views.items():
            config.add_route(name, f"/{name}")
            config.add_view(view, route_name=name)
        config.add_route("sub", "/sub/*subpath")
        config.add_view(wsgiapp2(_sub), route_name="sub")
        config.add_notfound_view(answer(404, "_ga_404"))
        config.add_exception_view(answer(500, "_ga_500"), context=RuntimeError)
        config.registry.hook = hook
        config.add_tween("wrap.wsgi_sites.pyramid_hook")
    return config.make_wsgi_app()


def pyramid_hook(handler: Any, registry: Any) -> Any:
    """A tween is named by where it lies."""
    return registry.hook(handler, registry)


def bottle_site() -> Any:
    app = bottle.Bottle()

    def page(status: int, body: Any, **headers: str) -> Any:
        def view() -> Any:
            response = bottle.response
            response.status = status
            response.set_cookie("session", "1")
            response.set_cookie("_ga", "1")
            response.add_header("Set-Cookie", RAW)
            for name, value in headers.items():
                response.set_header(name, value)
            return body

        return view

    def boom() -> str:
        raise RuntimeError("boom")

    def hook() -> None:
        bottle.response.set_cookie("_ga_hook", "1")

    def answer(name: str) -> Any:
        def handler(error: Any) -> str:
            bottle.response.set_cookie(name, "1")
            return "sorry"

        return handler

    app.get("/page", callback=page(200, "page"))
    app.get("/empty", callback=page(204, ""))
    app.get("/same", callback=page(304, ""))
    app.get("/away", callback=page(302, "", Location="/page"))
    app.get("/stream", callback=page(200, PIECES))
    app.get("/boom", callback=boom)
    app.add_hook("after_request", hook)
    app.error_handler.update({code: answer(f"_ga_{code}") for code in (404, 405, 500)})
    app.mount("/sub/", _sub)
    return app


def bare_site() -> Any:
    def app(environ: Any, start_response: Any) -> Any:
        path, method = environ["PATH_INFO"], environ["REQUEST_METHOD"]
        statuses = {"/page": 200, "/empty": 204, "/same": 304, "/away": 302, "/stream": 200}
        status = statuses.get(path, 404) if method == "GET" else 405
        name = "_ga_404" if status == 404 else "_ga_raw"
        headers = [("Set-Cookie", f"{name}=1"), ("set-cookie", "session=1")]
        start_response(f"{status} X", headers)
        return PIECES if path == "/stream" else []

    return app
