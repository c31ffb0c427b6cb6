"""Pictures, sounds and files: where they come from, what is sent, and what is never shown."""

from __future__ import annotations

import base64
import copy
import io
import pickle
import threading
import wave
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pydantic
import pytest

from telic.errors import InputError, MissingExtraError
from telic.types import Audio, File, Image, media

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
JPEG = b"\xff\xd8\xff\xe0" + bytes(20)
PDF = b"%PDF-1.7 something"


def wav(samples: int = 10) -> bytes:
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(bytes(2 * samples))
    return buffer.getvalue()


def url_of(data: bytes, mime: str) -> str:
    return f"data:{mime};base64,{base64.b64encode(data).decode()}"


# Pictures


@pytest.mark.parametrize("url", ["https://example.org/a.png", "http://example.org/a", "gs://bucket/a.png"])
def test_an_address_is_left_to_the_provider(url: str) -> None:
    for image in (
        Image(url),
        Image(url=url),
        Image({"url": url}),
        Image(Image(url)),
        Image.model_validate(url),
    ):
        assert image.url == url
        assert image.format() == [{"type": "image_url", "image_url": {"url": url}}]
    assert repr(Image(url)) == str(Image(url)) == f"Image(url={url!r})"


@pytest.mark.parametrize(
    ("data", "mime"),
    [
        (PNG, "image/png"),
        (JPEG, "image/jpeg"),
        (b"GIF89a" + bytes(9), "image/gif"),
        (b"RIFF\x00\x00\x00\x00WEBPVP8 ", "image/webp"),
        (b"BM" + bytes(30), "image/bmp"),
        (b"\x00\x00\x00\x1cftypavif", "image/avif"),
        (b"<svg xmlns='x'/>", "image/svg+xml"),
        (b"<?xml version='1.0'?>\n<svg/>", "image/svg+xml"),
        (PDF, "application/pdf"),
    ],
)
def test_bytes_are_known_by_their_beginning(data: bytes, mime: str) -> None:
    assert Image(data).url == url_of(data, mime)
    assert Image(bytearray(data)).url == url_of(data, mime)


def test_a_file_is_known_by_content_before_name(tmp_path: Path) -> None:
    misnamed = tmp_path / "picture.jpg"
    misnamed.write_bytes(PNG)
    assert Image.from_path(str(misnamed)).url == url_of(PNG, "image/png")
    assert Image(misnamed) == Image.from_file(misnamed)
    by_name = tmp_path / "other.jpg"
    by_name.write_bytes(b"who knows")
    assert Image.from_path(by_name).url == url_of(b"who knows", "image/jpeg")


def test_a_plain_string_never_reads_a_file(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(PNG)
    for kind, hint in ((Image, "Image.from_path"), (Audio, "Audio.from_path"), (File, "File.from_path")):
        with pytest.raises(InputError, match=hint):
            kind(str(path))


@pytest.mark.parametrize("source", [b"no picture", 3, "hello", "ftp://a/b.png", "http://", object(), wav()])
def test_what_is_no_picture_is_refused(source: Any) -> None:
    with pytest.raises(ValueError, match="Image"):
        Image(source)


def test_wrong_uses_of_image_are_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no file at"):
        Image.from_path(tmp_path / "missing.png")
    text = tmp_path / "a.txt"
    text.write_text("hello")
    with pytest.raises(InputError, match=r"text/plain.*telic\.File"):
        Image.from_path(text)
    with pytest.raises(InputError, match="not both"):
        Image("https://a.b/c", url="https://a.b/d")
    with pytest.raises(pydantic.ValidationError, match="url"):
        Image()
    with pytest.raises(pydantic.ValidationError, match="extra"):
        Image(url="https://a.b/c", size=3)
    with pytest.raises(pydantic.ValidationError, match="frozen"):
        Image("https://a.b/c").url = "https://a.b/d"  # type: ignore[misc]


def test_pil_images_and_arrays() -> None:
    pil = pytest.importorskip("PIL.Image")
    np = pytest.importorskip("numpy")
    red = pil.new("RGB", (3, 2), "red")
    assert Image(red).url.startswith("data:image/png;base64,")
    assert Image.from_PIL(red) == Image(red)

    def pixels(image: Image) -> Any:
        split = media.split_data_url(image.url)
        assert split is not None
        return np.asarray(pil.open(io.BytesIO(base64.b64decode(split[1]))))

    colours = np.arange(24, dtype="uint8").reshape(2, 4, 3) * 10
    assert (pixels(Image(colours)) == colours).all()
    grey = np.array([[0.0, 0.5], [1.0, 0.25]])
    assert (pixels(Image(grey)) == [[0, 128], [255, 64]]).all()
    assert (pixels(Image(np.eye(3, dtype=bool))) == np.eye(3) * 255).all()
    assert pixels(Image(np.zeros((2, 2, 4), dtype=int))).shape == (2, 2, 4)


@pytest.mark.parametrize(
    ("shape", "value"), [((3,), 0), ((2, 2, 5), 0), ((0, 2), 0), ((2, 2), 300), ((2, 2), -1), ((2, 2), 1.5)]
)
def test_arrays_that_are_no_pictures(shape: tuple[int, ...], value: float) -> None:
    np = pytest.importorskip("numpy")
    with pytest.raises(InputError, match="no picture"):
        Image(np.full(shape, value))


# Sounds


@pytest.mark.parametrize(
    ("name", "data", "form"),
    [
        ("a.wav", wav(), "wav"),
        ("a.mp3", b"ID3" + bytes(9), "mp3"),
        ("a.mp3", b"unknown", "mp3"),
        ("a.flac", b"fLaC" + bytes(9), "flac"),
        ("a.ogg", b"OggS" + bytes(9), "ogg"),
        ("a.wav", b"fLaC" + bytes(9), "flac"),
    ],
)
def test_sounds_from_files(tmp_path: Path, name: str, data: bytes, form: str) -> None:
    path = tmp_path / name
    path.write_bytes(data)
    encoded = base64.b64encode(data).decode()
    for audio in (Audio.from_path(str(path)), Audio.from_file(path), Audio(path)):
        assert (audio.data, audio.audio_format) == (encoded, form)
    assert audio.format() == [{"type": "input_audio", "input_audio": {"data": encoded, "format": form}}]


def test_sounds_from_bytes_data_urls_and_fields() -> None:
    assert Audio(wav()).audio_format == "wav"
    assert Audio(b"fake").audio_format == "wav"
    assert Audio(b"fake", audio_format="mp3").audio_format == "mp3"
    assert Audio("data:audio/mpeg;base64,AAAA").audio_format == "mp3"
    assert Audio("data:audio/x-wav;base64,AAAA") == Audio(data="AAAA", audio_format="wav")
    assert Audio({"data": "AAAA", "audio_format": "ogg"}).audio_format == "ogg"
    assert Audio.validate_input("data:audio/wav;base64,AAAA") == {"data": "AAAA", "audio_format": "wav"}
    assert Audio.model_validate(Audio(wav()).model_dump()) == Audio(wav())


@pytest.mark.parametrize(
    "source", ["https://a.b/c.wav", "data:image/png;base64,AAAA", 3, {}, {"data": "AAAA"}, PNG]
)
def test_what_is_no_sound_is_refused(source: Any) -> None:
    with pytest.raises(ValueError, match="Audio"):
        Audio(source)


def read_wav(audio: Audio) -> tuple[int, int, list[int]]:
    with wave.open(io.BytesIO(base64.b64decode(audio.data))) as file:
        frames = file.readframes(file.getnframes())
        samples = [int.from_bytes(frames[i : i + 2], "little", signed=True) for i in range(0, len(frames), 2)]
        return file.getnchannels(), file.getframerate(), samples


def test_sounds_from_lists_and_arrays() -> None:
    assert read_wav(Audio.from_array([0.0, 1.0, -1.0, 7.5], 8000)) == (1, 8000, [0, 32767, -32767, 32767])
    assert read_wav(Audio.from_array([[1, 2], [3, 4]], 16000)) == (2, 16000, [1, 2, 3, 4])
    np = pytest.importorskip("numpy")
    assert read_wav(Audio.from_array(np.zeros((5, 2), dtype="float32"), 44100)) == (2, 44100, [0] * 10)


@pytest.mark.parametrize(
    "samples", [[], [[]], [40000], [float("nan")], [[0.0], [0.0, 1.0]], ["a"], [[[0.0]]], [0.0, [1.0]]]
)
def test_arrays_that_are_no_sounds(samples: Any) -> None:
    with pytest.raises(InputError, match="Audio"):
        Audio.from_array(samples, 8000)


def test_other_formats_need_another_package() -> None:
    try:
        import soundfile  # noqa: F401  # type: ignore[import-not-found]
    except ModuleNotFoundError:
        with pytest.raises(MissingExtraError, match="soundfile"):
            Audio.from_array([0.0], 8000, format="flac")
    else:
        assert Audio.from_array([0.0] * 9, 8000, format="flac").audio_format == "flac"


# Files


def test_files(tmp_path: Path) -> None:
    path = tmp_path / "paper.pdf"
    path.write_bytes(PDF)
    url = url_of(PDF, "application/pdf")
    assert File.from_path(str(path)) == File(path) == File(file_data=url, filename="paper.pdf")
    assert File.from_path(path, filename="q.pdf", mime_type="text/x").format() == [
        {"type": "file", "file": {"file_data": url_of(PDF, "text/x"), "filename": "q.pdf"}}
    ]
    assert File(PDF).file_data == url
    assert (
        File(b"abc").file_data
        == File.from_bytes(b"abc").file_data
        == url_of(b"abc", "application/octet-stream")
    )
    assert File.from_bytes(b"abc", filename="a.txt", mime_type="text/plain").filename == "a.txt"
    assert File.from_file_id("file-1", filename="a").format() == [
        {"type": "file", "file": {"file_id": "file-1", "filename": "a"}}
    ]
    assert File(url) == File({"file_data": url}) == File.model_validate(url) == File(File(url))
    assert File.model_validate(File(PDF).model_dump()) == File(PDF)


@pytest.mark.parametrize("source", ["https://a.b/c.pdf", "c.pdf", {}, 3, {"filename": ""}])
def test_what_is_no_file_is_refused(source: Any) -> None:
    with pytest.raises(ValueError, match="File"):
        File(source)


def test_a_file_of_nothing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="file_data, file_id, filename"):
        File()
    with pytest.raises(InputError, match="no file at"):
        File.from_path(tmp_path / "missing.pdf")


# Sizes, copies, and what is shown


def test_payloads_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(PNG)
    for kind in (Image, Audio, File):
        monkeypatch.setattr(kind, "max_bytes", 50)
    for make in (
        lambda: Image(PNG),
        lambda: Image.from_path(path),
        lambda: Audio(wav(100)),
        lambda: File(PNG),
        lambda: File.from_bytes(PNG),
        lambda: File(path),
        lambda: Audio.from_array([0.0] * 100, 8000),
    ):
        with pytest.raises(InputError, match="more than the 50 B"):
            make()


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (Image(PNG), "image/png, 70 B, #"),
        (Audio(wav()), "64 B, #"),
        (File(PDF, filename="x.pdf"), "application/pdf, 18 B, #"),
        (File(file_data=base64.b64encode(bytes(2_000_000)).decode()), "2.0 MB, #"),
    ],
)
def test_payloads_are_described_and_not_shown(value: Any, words: str) -> None:
    for text in (repr(value), str(value), f"{value}", repr([value])):
        assert words in text
        assert len(text) < 120


def test_equal_payloads_have_equal_descriptions_and_others_not() -> None:
    assert repr(Image(PNG)) == repr(Image(PNG))
    assert repr(Image(PNG)) != repr(Image(PNG + b"x"))
    assert Image(PNG) == Image(PNG)
    assert hash(Image(PNG)) == hash(Image(PNG))


def test_values_are_copied_and_pickled() -> None:
    for value in (Image(PNG), Audio(wav()), File(PDF)):
        assert copy.deepcopy(value) == value
        assert pickle.loads(pickle.dumps(value)) == value
    assert Image.model_validate(Image(PNG).model_dump()) == Image(PNG)


# Downloads


class Server(ThreadingHTTPServer):
    asked: list[str]


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        answer = {
            "/cat.png": (200, "image/png", PNG),
            "/typed": (200, "image/jpeg; charset=x", b"who knows"),
            "/a.wav": (200, "audio/x-wav", wav()),
            "/page": (200, "text/html", b"<html>"),
            "/big": (200, "image/png", PNG + bytes(5000)),
        }.get(self.path)
        if self.path.startswith("/to/"):
            self.send_response(302)
            self.send_header("Location", self.path.removeprefix("/to/"))
            self.end_headers()
            return
        status, kind, body = answer or (404, "text/plain", b"no")
        self.send_response(status)
        self.send_header("Content-Type", kind)
        if self.path != "/big":
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: Any) -> None:
        pass


@pytest.fixture
def site() -> Iterator[tuple[str, list[str]]]:
    with Server(("127.0.0.1", 0), Handler) as server:
        server.asked = []
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", server.asked
        server.shutdown()


def test_downloads_happen_only_when_asked_for(site: tuple[str, list[str]]) -> None:
    base, asked = site
    assert Image(f"{base}/cat.png").url == f"{base}/cat.png"
    assert Image(f"{base}/cat.png", verify=False).url == f"{base}/cat.png"
    assert asked == []
    assert Image(f"{base}/cat.png", download=True) == Image.from_url(f"{base}/cat.png") == Image(PNG)
    assert Image.from_url(f"{base}/typed").url == url_of(b"who knows", "image/jpeg")
    assert Image.from_url(f"{base}/to//cat.png", verify=False) == Image(PNG)
    assert Audio.from_url(f"{base}/a.wav") == Audio(wav())


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/missing", "404"),
        ("/page", "text/html"),
        ("/to/file:///etc/passwd", "not allowed|could not"),
        ("/to/ftp://127.0.0.1/x.png", "could not"),
    ],
)
def test_downloads_that_fail_say_why(site: tuple[str, list[str]], path: str, words: str) -> None:
    with pytest.raises(InputError, match=words):
        Image.from_url(site[0] + path)


def test_downloads_are_bounded(site: tuple[str, list[str]], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image, "max_bytes", 1000)
    with pytest.raises(InputError, match=r"more than the 1\.0 kB"):
        Image.from_url(f"{site[0]}/big")


@pytest.mark.parametrize(
    "url", ["file:///etc/hostname", "ftp://127.0.0.1/a", "data:image/png;base64,AAAA", "a.png"]
)
def test_only_http_is_downloaded(url: str) -> None:
    with pytest.raises(InputError, match="http"):
        Image.from_url(url)


def test_a_server_that_is_not_there() -> None:
    with pytest.raises(InputError, match="could not be downloaded"):
        Audio.from_url("http://127.0.0.1:9/a.wav", timeout=2)
