"""`penstock adopt`: a live MWAA environment into `penstock.yaml`.

`live` reads what AWS says (boto3, reading calls only), `findings` judges it (pure), `write` puts it into the project
file. Nothing in AWS is changed.
"""
