from cabestan.web.pages.render import prose


def test_what_stands_between_backticks_is_code_and_nothing_else_is_markup() -> None:
    assert prose("Run `cabestan cron log 2`, <b>then</b> `a`.") == (
        "Run <code>cabestan cron log 2</code>, &lt;b&gt;then&lt;/b&gt; <code>a</code>."
    )


def test_a_lone_backtick_stays() -> None:
    assert prose("a ` b") == "a ` b"
