"""The small site of `sites.py` in the ASGI frameworks."""

from collections.abc import AsyncIterator
from typing import Any

import falcon
import falcon.asgi
import litestar
import quart
from fastapi import FastAPI
from litestar.datastructures import Cookie, MutableScopeHeaders
from litestar.middleware.session.client_side import CookieBackendConfig
from litestar.response import Redirect, Stream
from starlette.applications import Starlette
from starlette.datastructures import MutableHeaders
from starlette.middleware import Middleware
from starlette.middleware.sessions import SessionMiddleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Mount, Route

RAW = "_ga_raw=1; Path=/"
PIECES = [b"one ", b"two ", b"three"]


async def pieces() -> AsyncIterator[bytes]:
    for piece in PIECES:
        yield piece


def fastapi_site() -> Any:
    app = FastAPI()
    app.add_middleware(SessionMiddleware, secret_key="k")

    @app.middleware("http")
    async def hook(request: Request, call_next: Any) -> Any:
        return marked(await call_next(request), "_ga_hook")

    def marked(response: Response, name: str) -> Response:
        response.set_cookie(name, "1")
        return response

    def filled(request: Request, response: Response) -> Response:
        request.session["basket"] = 1
        response.headers.append("Set-Cookie", RAW)
        return marked(response, "_ga")

    @app.get("/page")
    async def page(request: Request, response: Response) -> str:
        filled(request, response)
        return "page"

    @app.get("/empty")
    async def empty(request: Request) -> Response:
        return filled(request, Response(status_code=204))

    @app.get("/same")
    async def same(request: Request) -> Response:
        return filled(request, Response(status_code=304))

    @app.get("/away")
    async def away(request: Request) -> Response:
        return filled(request, RedirectResponse("/page", 302))

    @app.get("/stream")
    async def stream(request: Request) -> Response:
        return filled(request, StreamingResponse(pieces()))

    @app.get("/boom")
    async def boom(request: Request) -> str:
        raise RuntimeError("boom")

    @app.exception_handler(404)
    async def not_found(request: Request, error: Exception) -> Response:
        return marked(PlainTextResponse("none", 404), "_ga_404")

    @app.exception_handler(500)
    async def failed(request: Request, error: Exception) -> Response:
        return marked(PlainTextResponse("sorry", 500), "_ga_500")

    sub = FastAPI()

    @sub.get("/page")
    async def sub_page(request: Request, response: Response) -> str:
        request.session["basket"] = 1
        marked(response, "_ga_sub")
        return "sub"

    app.mount("/sub", sub)
    return app


def starlette_site() -> Any:
    class Hook:
        def __init__(self, app: Any) -> None:
            self.app = app

        async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
            async def send_marked(message: Any) -> None:
                if message["type"] == "http.response.start":
                    MutableHeaders(scope=message).append("set-cookie", "_ga_hook=1; Path=/")
                await send(message)

            await self.app(scope, receive, send_marked)

    def page(make: Any) -> Any:
        async def endpoint(request: Request) -> Response:
            request.session["basket"] = 1
            response: Response = make()
            response.set_cookie("_ga", "1")
            response.raw_headers.append((b"Set-Cookie", RAW.encode()))
            return response

        return endpoint

    async def boom(request: Request) -> Response:
        raise RuntimeError("boom")

    async def sub_page(request: Request) -> Response:
        request.session["basket"] = 1
        return Response("sub", headers={"set-cookie": "_ga_sub=1"})

    async def not_found(request: Request, error: Exception) -> Response:
        return Response("none", 404, headers={"set-cookie": "_ga_404=1"})

    async def failed(request: Request, error: Exception) -> Response:
        return Response("sorry", 500, headers={"set-cookie": "_ga_500=1"})

    return Starlette(
        routes=[
            Route("/page", page(lambda: Response("page"))),
            Route("/empty", page(lambda: Response(status_code=204))),
            Route("/same", page(lambda: Response(status_code=304))),
            Route("/away", page(lambda: RedirectResponse("/page", 302))),
            Route("/stream", page(lambda: StreamingResponse(pieces()))),
            Route("/boom", boom),
            Mount("/sub", Starlette(routes=[Route("/page", sub_page)])),
        ],
        middleware=[Middleware(Hook), Middleware(SessionMiddleware, secret_key="k")],
        exception_handlers={404: not_found, 500: failed},
    )


def litestar_site() -> Any:
    def filled(request: Any, response: Any) -> Any:
        request.session["basket"] = 1
        response.set_cookie(Cookie("_ga", "1"))
        response.headers["Set-Cookie"] = RAW
        return response

    @litestar.get("/page")
    async def page(request: litestar.Request[Any, Any, Any]) -> litestar.Response[str]:
        return filled(request, litestar.Response("page"))

    @litestar.get("/empty", status_code=204)
    async def empty(request: litestar.Request[Any, Any, Any]) -> litestar.Response[None]:
        return filled(request, litestar.Response(None, status_code=204))

    @litestar.get("/same", status_code=304)
    async def same(request: litestar.Request[Any, Any, Any]) -> litestar.Response[None]:
        return filled(request, litestar.Response(None, status_code=304))

    @litestar.get("/away", status_code=302)
    async def away(request: litestar.Request[Any, Any, Any]) -> Redirect:
        return filled(request, Redirect("/page", status_code=302))

    @litestar.get("/stream")
    async def stream(request: litestar.Request[Any, Any, Any]) -> Stream:
        return filled(request, Stream(pieces()))

    @litestar.get("/boom")
    async def boom() -> str:
        raise RuntimeError("boom")

    def answer(status: int, name: str) -> Any:
        def handler(request: Any, error: Exception) -> litestar.Response[str]:
            return litestar.Response("sorry", status_code=status, cookies=[Cookie(name, "1")])

        return handler

    @litestar.asgi("/sub", is_mount=True, copy_scope=True)
    async def sub(scope: Any, receive: Any, send: Any) -> None:
        headers = [(b"set-cookie", b"_ga_sub=1"), (b"set-cookie", b"session=1")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"sub"})

    async def hook(message: Any, scope: Any) -> None:
        if message["type"] == "http.response.start":
            MutableScopeHeaders(message).add("set-cookie", "_ga_hook=1")

    return litestar.Litestar(
        [page, empty, same, away, stream, boom, sub],
        middleware=[CookieBackendConfig(secret=b"k" * 16).middleware],
        before_send=[hook],
        exception_handlers={404: answer(404, "_ga_404"), 500: answer(500, "_ga_500")},
        openapi_config=None,
        logging_config=None,
    )


def quart_site() -> Any:
    app = quart.Quart(__name__)
    app.secret_key = "k"

    def filled(response: Any) -> Any:
        quart.session["basket"] = 1
        response.set_cookie("_ga", "1")
        response.headers.add("Set-Cookie", RAW)
        return response

    app.add_url_rule("/page", "page", lambda: filled(quart.Response("page")), methods=["GET"])
    app.add_url_rule("/empty", "empty", lambda: filled(quart.Response(status=204)))
    app.add_url_rule("/same", "same", lambda: filled(quart.Response(status=304)))
    app.add_url_rule("/away", "away", lambda: filled(quart.redirect("/page", 302)))
    app.add_url_rule("/stream", "stream", lambda: filled(quart.Response(pieces())))

    @app.get("/boom")
    async def boom() -> str:
        raise RuntimeError("boom")

    @app.errorhandler(404)
    async def not_found(error: Exception) -> Any:
        return "none", 404, {"Set-Cookie": "_ga_404=1"}

    @app.errorhandler(500)
    async def failed(error: Exception) -> Any:
        return "sorry", 500, {"Set-Cookie": "_ga_500=1"}

    @app.after_request
    async def hook(response: Any) -> Any:
        response.set_cookie("_ga_hook", "1")
        return response

    inner = app.asgi_app

    async def mounting(scope: Any, receive: Any, send: Any) -> None:
        if not scope.get("path", "").startswith("/sub/"):
            await inner(scope, receive, send)
            return
        headers = [(b"set-cookie", b"_ga_sub=1"), (b"set-cookie", b"session=1")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"sub"})

    app.asgi_app = mounting  # type: ignore[method-assign]
    return app


def falcon_site() -> Any:
    class Hook:
        async def process_response(
            self, request: Any, response: Any, resource: Any, succeeded: bool
        ) -> None:
            response.set_cookie("_ga_hook", "1")

    class Page:
        def __init__(self, status: int, **attributes: Any) -> None:
            self.status = status
            self.attributes = attributes

        async def on_get(self, request: Any, response: Any) -> None:
            response.status = self.status
            response.set_cookie("session", "1")
            response.set_cookie("_ga", "1")
            response.append_header("Set-Cookie", RAW)
            for name, value in self.attributes.items():
                setattr(response, name, value() if callable(value) else value)

    class Boom:
        async def on_get(self, request: Any, response: Any) -> None:
            raise RuntimeError("boom")

    def answer(status: int, name: str) -> Any:
        async def handler(request: Any, response: Any, error: Any, params: Any) -> None:
            response.status = status
            response.set_cookie(name, "1")

        return handler

    app = falcon.asgi.App(middleware=[Hook()])
    app.add_route("/page", Page(200, text="page"))
    app.add_route("/empty", Page(204))
    app.add_route("/same", Page(304))
    app.add_route("/away", Page(302, location="/page"))
    app.add_route("/stream", Page(200, stream=pieces))
    app.add_route("/boom", Boom())
    app.add_error_handler(Exception, answer(500, "_ga_500"))
    app.add_error_handler(falcon.HTTPError, app._http_error_handler)
    app.add_error_handler(falcon.HTTPNotFound, answer(404, "_ga_404"))
    return app


def bare_site() -> Any:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        path, method = scope["path"], scope["method"]
        statuses = {"/page": 200, "/empty": 204, "/same": 304, "/away": 302, "/stream": 200}
        status = statuses.get(path, 404) if method == "GET" else 405
        name = b"_ga_404" if status == 404 else b"_ga_raw"
        headers = [(b"Set-Cookie", name + b"=1"), (b"set-cookie", b"session=1")]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        for piece in PIECES if path == "/stream" else []:
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body"})

    return app
