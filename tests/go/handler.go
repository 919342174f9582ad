// A Lambda function in Go with the AWS SDK version 1, which knows no endpoint variable: what it calls are
// AWS's own names. It speaks the Runtime API by itself, as provided.al2023's `bootstrap`.
//
// The event is {"tail": "..."}; buckets, tables and queues are named by it. The answer says where each
// client went and what came back.
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"

	"github.com/aws/aws-sdk-go/aws"
	"github.com/aws/aws-sdk-go/aws/session"
	"github.com/aws/aws-sdk-go/service/dynamodb"
	"github.com/aws/aws-sdk-go/service/s3"
	"github.com/aws/aws-sdk-go/service/sqs"
)

type event struct {
	Tail string `json:"tail"`
}

type answer struct {
	Hosts []string `json:"hosts"`
	Size  int      `json:"size"`
	Keys  []string `json:"keys"`
	Item  string   `json:"item"`
	Body  string   `json:"body"`
	Codes []string `json:"codes"`
}

// doS3 puts, gets and lists in a bucket of another region, addressed as a virtual host.
func doS3(s *session.Session, tail string, a *answer) error {
	client := s3.New(s, aws.NewConfig().WithRegion("eu-west-1"))
	bucket := aws.String("databucket-" + tail)
	_, err := client.CreateBucket(&s3.CreateBucketInput{Bucket: bucket, CreateBucketConfiguration: &s3.CreateBucketConfiguration{
		LocationConstraint: aws.String("eu-west-1")}})
	if err != nil {
		return err
	}
	_, err = client.PutObject(&s3.PutObjectInput{Bucket: bucket, Key: aws.String("in/customers 1.csv"),
		Body: bytes.NewReader(bytes.Repeat([]byte("x"), 100000))})
	if err != nil {
		return err
	}
	request, got := client.GetObjectRequest(&s3.GetObjectInput{Bucket: bucket, Key: aws.String("in/customers 1.csv")})
	if err = request.Send(); err != nil {
		return err
	}
	body, err := io.ReadAll(got.Body)
	if err != nil {
		return err
	}
	a.Size = len(body)
	a.Hosts = append(a.Hosts, request.HTTPRequest.URL.Scheme+"://"+request.HTTPRequest.URL.Host)
	listed, err := client.ListObjectsV2(&s3.ListObjectsV2Input{Bucket: bucket})
	if err != nil {
		return err
	}
	for _, object := range listed.Contents {
		a.Keys = append(a.Keys, *object.Key)
	}
	_, err = client.GetObject(&s3.GetObjectInput{Bucket: bucket, Key: aws.String("none")})
	a.Codes = append(a.Codes, codeOf(err))
	return nil
}

func doDynamoDB(s *session.Session, tail string, a *answer) error {
	client := dynamodb.New(s)
	table := aws.String("t-" + tail)
	_, err := client.CreateTable(&dynamodb.CreateTableInput{
		TableName:            table,
		BillingMode:          aws.String("PAY_PER_REQUEST"),
		KeySchema:            []*dynamodb.KeySchemaElement{{AttributeName: aws.String("id"), KeyType: aws.String("HASH")}},
		AttributeDefinitions: []*dynamodb.AttributeDefinition{{AttributeName: aws.String("id"), AttributeType: aws.String("S")}},
	})
	if err != nil {
		return err
	}
	put := &dynamodb.PutItemInput{
		TableName:           table,
		Item:                map[string]*dynamodb.AttributeValue{"id": {S: aws.String("1")}, "n": {N: aws.String("400.00")}},
		ConditionExpression: aws.String("attribute_not_exists(id)"),
	}
	if _, err = client.PutItem(put); err != nil {
		return err
	}
	_, err = client.PutItem(put)
	a.Codes = append(a.Codes, codeOf(err))
	got, err := client.GetItem(&dynamodb.GetItemInput{TableName: table, Key: map[string]*dynamodb.AttributeValue{"id": {S: aws.String("1")}}})
	if err != nil {
		return err
	}
	a.Item = *got.Item["n"].N
	a.Hosts = append(a.Hosts, client.Endpoint)
	return nil
}

func doSQS(s *session.Session, tail string, a *answer) error {
	client := sqs.New(s)
	made, err := client.CreateQueue(&sqs.CreateQueueInput{QueueName: aws.String("q-" + tail)})
	if err != nil {
		return err
	}
	_, err = client.SendMessage(&sqs.SendMessageInput{QueueUrl: made.QueueUrl, MessageBody: aws.String("hello <&> world")})
	if err != nil {
		return err
	}
	got, err := client.ReceiveMessage(&sqs.ReceiveMessageInput{QueueUrl: made.QueueUrl})
	if err != nil {
		return err
	}
	a.Body = *got.Messages[0].Body
	a.Hosts = append(a.Hosts, client.Endpoint)
	_, err = client.GetQueueUrl(&sqs.GetQueueUrlInput{QueueName: aws.String("none-" + tail)})
	a.Codes = append(a.Codes, codeOf(err))
	return nil
}

func codeOf(err error) string {
	if coded, ok := err.(interface{ Code() string }); ok {
		return coded.Code()
	}
	return fmt.Sprint(err)
}

func handle(payload []byte) ([]byte, error) {
	var e event
	var a answer
	if err := json.Unmarshal(payload, &e); err != nil {
		return nil, err
	}
	s, err := session.NewSession()
	if err != nil {
		return nil, err
	}
	for _, do := range []func(*session.Session, string, *answer) error{doS3, doDynamoDB, doSQS} {
		if err := do(s, e.Tail, &a); err != nil {
			return nil, err
		}
	}
	return json.Marshal(a)
}

// serve answers one event.
func serve(base string) error {
	next, err := http.Get(base + "next")
	if err != nil {
		return err
	}
	payload, err := io.ReadAll(next.Body)
	next.Body.Close()
	if err != nil {
		return err
	}
	body, failed := handle(payload)
	to := "/response"
	if failed != nil {
		to = "/error"
		body, _ = json.Marshal(map[string]string{"errorMessage": failed.Error(), "errorType": fmt.Sprintf("%T", failed)})
	}
	done, err := http.Post(base+next.Header.Get("Lambda-Runtime-Aws-Request-Id")+to, "application/json", bytes.NewReader(body))
	if err != nil {
		return err
	}
	return done.Body.Close()
}

func main() {
	base := "http://" + os.Getenv("AWS_LAMBDA_RUNTIME_API") + "/2018-06-01/runtime/invocation/"
	for {
		if err := serve(base); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
}
