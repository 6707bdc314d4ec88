module cabestan/nothinghere

go 1.22
