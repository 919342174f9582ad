# What `make run PIPELINE=scheduled-summary` shows; sourced by tools/run.sh.
URL=$(made API_URL)/cars
RUN=$(date +%H%M%S)

post() { # BODY
    echo "  POST $1"
    curl -sS -X POST "$URL" -H 'content-type: application/json' -d "$1" -w ' (%{http_code})\n' | sed 's/^/  -> /'
}

say "Sending cars to $URL: two that are, one that the gateway's validator refuses, one that is there already and differs."
post "{\"id\":\"$RUN-1\",\"make\":\"Volvo\",\"model\":\"240\",\"year\":1985,\"price\":1500}"
post "{\"make\":\"Citroen\",\"model\":\"DS\",\"year\":1972}"
post "{\"make\":\"Tesla\",\"year\":\"new\"}"
post "{\"id\":\"$RUN-1\",\"make\":\"Volvo\",\"model\":\"Amazon\",\"year\":1965}"

say "Writing the summary now, as the rule $(made RULE) does on Sundays at 23:00 UTC:"
"pipelines/$pipeline/run-now.sh" "$endpoint" | sed 's/^/  /'
KEY=summaries/$(date -u +%F).json
echo "  s3://$(made BUCKET)/$KEY:"
cli s3 cp "s3://$(made BUCKET)/$KEY" - | sed 's/^/  /'

try() {
    cat <<END
  curl -X POST $URL -H 'content-type: application/json' -d '{"make":"Saab","model":"96","year":1967}'
  pipelines/scheduled-summary/run-now.sh $endpoint
  aws --endpoint-url $endpoint s3 ls --recursive s3://$(made BUCKET)
  aws --endpoint-url $endpoint s3api list-object-versions --bucket $(made BUCKET)
  aws --endpoint-url $endpoint apigateway get-export --rest-api-id $(made API_ID) --stage-name prod --export-type oas30 /dev/stdout
END
}
