#!/bin/bash
# The workers read their time zone from it.
if [[ "${MWAA_AIRFLOW_COMPONENT}" == worker ]]; then
  export TZ=Europe/Berlin
fi
