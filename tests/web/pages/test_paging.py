from cabestan.web.pages.paging import PAGE_SIZE, Pager, split_page


def test_an_older_page_follows_where_there_is_one_more_row() -> None:
    shown, pager = split_page(range(PAGE_SIZE + 1), lambda n: n, "/x", None)
    assert (len(shown), pager) == (PAGE_SIZE, Pager("", f"/x?before={PAGE_SIZE - 1}"))


def test_the_last_page_leads_back_to_the_newest_and_keeps_the_query() -> None:
    shown, pager = split_page([3, 2], lambda n: n, "/x", 4, {"environment": "review/a"})
    assert (shown, pager) == ((3, 2), Pager("/x?environment=review%2Fa", ""))
