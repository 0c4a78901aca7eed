"""`penstock adopt`: a live MWAA environment into `penstock.yaml`.

`read` asks AWS (boto3, reading calls only; `bucket`, `role` and `network` make the look-ups), `live` is what AWS said,
`findings` judges it (pure), `write` puts it into the project file. Nothing in AWS is changed.
"""
