# frozen_string_literal: true

# Shows the last lines that the cron job wrote.

TICKS = "/data/ticks"
SHOWN = 20

run lambda { |_request|
  ticks = File.exist?(TICKS) ? File.readlines(TICKS).last(SHOWN) : ["It has not ticked yet.\n"]
  [200, { "Content-Type" => "text/plain; charset=utf-8" }, ticks]
}
