from __future__ import annotations

from dataclasses import dataclass

from cabestan.web.front.crowd import Crowd, Seat


@dataclass(eq=False)
class Somebody:
    address: str = "a"
    away: bool = False

    def send_away(self) -> None:
        self.away = True


def crowd(most: int = 3, per_address: int = 3, reserve: int = 1, told: int = 1) -> Crowd:
    return Crowd(most, per_address, reserve, told)


def test_the_longest_silent_makes_room() -> None:
    made, guests = crowd(), [Somebody() for _ in range(5)]
    assert [made.enter(guest) for guest in guests] == [Seat.USUAL] * 5
    assert [guest.away for guest in guests] == [True, True, False, False, False]
    assert len(made) == 3


def test_who_is_being_answered_stays_and_counts_as_silent_from_then_on() -> None:
    made, (first, second, third, fourth) = crowd(), [Somebody() for _ in range(4)]
    for guest in (first, second, third):
        made.enter(guest)
    made.works(first)
    made.enter(fourth)
    assert [first.away, second.away] == [False, True]
    made.waits(first)
    made.enter(Somebody())
    assert [first.away, third.away] == [False, True]


def test_an_address_makes_room_for_itself_and_for_nobody_else() -> None:
    made, other = crowd(most=10, per_address=2), Somebody("b")
    made.enter(other)
    guests = [Somebody() for _ in range(3)]
    assert [made.enter(guest) for guest in guests] == [Seat.USUAL] * 3
    assert [guest.away for guest in (other, *guests)] == [False, True, False, False]


def test_where_all_are_being_answered_there_is_the_reserve_and_then_nothing() -> None:
    made, guests = crowd(most=2, per_address=9, reserve=1), [Somebody() for _ in range(4)]
    seats = []
    for guest in guests:
        seats.append(made.enter(guest))
        made.works(guest)
    assert seats == [Seat.USUAL, Seat.USUAL, Seat.RESERVED, Seat.FULL]
    made.leave(guests[0])
    assert made.enter(Somebody()) is Seat.RESERVED
    assert len(made) == 3


def test_an_address_with_all_its_share_in_use_gets_no_more() -> None:
    made, guests = crowd(most=9, per_address=1), [Somebody() for _ in range(2)]
    made.enter(guests[0])
    made.works(guests[0])
    assert made.enter(guests[1]) is Seat.ADDRESS_FULL
    assert made.enter(Somebody("b")) is Seat.USUAL
    made.leave(guests[0])
    made.leave(guests[0])
    assert made.enter(guests[1]) is Seat.USUAL


def test_few_are_told_why_at_the_same_time() -> None:
    made, (first, second) = crowd(told=1), (Somebody(), Somebody())
    assert made.may_be_told(first)
    assert not made.may_be_told(second)
    made.leave(first)
    assert made.may_be_told(second)
