# frozen_string_literal: true

# What runs by the clock: writes down when it ran, and where.

line = "#{Time.now.utc.strftime('%Y-%m-%d %H:%M:%S')} #{ENV.fetch('ENV')}"
File.write("/data/ticks", "#{line}\n", mode: "a")
puts "ticked: #{line}"
