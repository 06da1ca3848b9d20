// Record formats such as CSV, JSON and Parquet.
export {}
