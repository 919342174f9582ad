# What `make run PIPELINE=text-upload` shows; sourced by tools/run.sh.
URL=$(made API_URL)/dataproc

upload() { # TOKEN TEXT
    curl -sS -X POST "$URL" ${1:+-H "Authorization: Bearer $1"} -H 'content-type: text/plain' --data-binary "$2" -w ' (%{http_code})\n'
}

say "Signing up ann@example.com, and getting her access token:"
TOKEN=$("pipelines/$pipeline/token.sh" "$endpoint" ann@example.com Passw0rd-1)
echo "  ${TOKEN:0:40}..."

say "Uploading a text of four lines, one of them empty, one that is no text:"
ANSWER=$(upload "$TOKEN" "$(printf 'the first line\n\nwith a bell \a\nthe last line')")
echo "  $ANSWER"
UPLOAD=$(echo "$ANSWER" | sed -n 's/.*"upload":"\([0-9a-f]*\)".*/\1/p')
cli dynamodb query --table-name "$(made TABLE)" --key-condition-expression 'upload = :u' --output json \
    --expression-attribute-values "{\":u\":{\"S\":\"$UPLOAD\"}}" | jq -c '.Items[] | {line: .line.N, text: .text.S}' | sed 's/^/  /'

say "Without a token, and with a forged one:"
upload "" x | sed 's/^/  /'
upload "${TOKEN%????}AAAA" x | sed 's/^/  /'

try() {
    cat <<END
  curl -X POST $URL -H "Authorization: Bearer \$(pipelines/text-upload/token.sh $endpoint ann@example.com Passw0rd-1)" \\
       -H 'content-type: text/plain' --data-binary @README.md
  aws --endpoint-url $endpoint cognito-idp list-users --user-pool-id $(made USER_POOL_ID)
  aws --endpoint-url $endpoint cloudwatch describe-alarms --alarm-name-prefix text-upload
  aws --endpoint-url $endpoint logs filter-log-events --log-group-name /aws/lambda/$(made AUTHORIZER_FUNCTION)
END
}
