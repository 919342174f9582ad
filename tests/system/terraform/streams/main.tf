# A table whose stream feeds a function, as people write it for AWS, with an unmodified provider.
terraform {
  required_providers {
    aws = { source = "hashicorp/aws" }
  }
}

variable "package" { type = string }
variable "batch" { default = 10 }

resource "aws_dynamodb_table" "jobs" {
  name             = "tf-jobs"
  billing_mode     = "PAY_PER_REQUEST"
  hash_key         = "id"
  stream_enabled   = true
  stream_view_type = "NEW_AND_OLD_IMAGES"
  attribute {
    name = "id"
    type = "S"
  }
  ttl {
    attribute_name = "until"
    enabled        = true
  }
}

resource "aws_sqs_queue" "failed" { name = "tf-jobs-failed" }
resource "aws_sqs_queue" "done" { name = "tf-jobs-done" }

resource "aws_iam_role" "consumer" {
  name = "tf-jobs-consumer"
  assume_role_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "lambda.amazonaws.com" } }]
  })
}

resource "aws_iam_role_policy" "stream" {
  name = "stream"
  role = aws_iam_role.consumer.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Effect   = "Allow"
        Action   = ["dynamodb:GetRecords", "dynamodb:GetShardIterator", "dynamodb:DescribeStream", "dynamodb:ListStreams"]
        Resource = aws_dynamodb_table.jobs.stream_arn
      },
      { Effect = "Allow", Action = "sqs:SendMessage", Resource = [aws_sqs_queue.failed.arn, aws_sqs_queue.done.arn] },
    ]
  })
}

resource "aws_lambda_function" "consumer" {
  function_name    = "tf-jobs-consumer"
  role             = aws_iam_role.consumer.arn
  runtime          = "python3.11"
  handler          = "index.handler"
  filename         = var.package
  source_code_hash = filebase64sha256(var.package)
  timeout          = 10
  environment { variables = { QUEUE_URL = aws_sqs_queue.done.url } }
}

resource "aws_lambda_event_source_mapping" "jobs" {
  event_source_arn                   = aws_dynamodb_table.jobs.stream_arn
  function_name                      = aws_lambda_function.consumer.arn
  starting_position                  = "LATEST"
  batch_size                         = var.batch
  maximum_batching_window_in_seconds = 0
  parallelization_factor             = 2
  maximum_retry_attempts             = 2
  maximum_record_age_in_seconds      = 3600
  bisect_batch_on_function_error     = true
  function_response_types            = ["ReportBatchItemFailures"]
  filter_criteria {
    filter { pattern = jsonencode({ eventName = ["INSERT"] }) }
  }
  destination_config {
    on_failure { destination_arn = aws_sqs_queue.failed.arn }
  }
  depends_on = [aws_iam_role_policy.stream]
}

output "queue_url" { value = aws_sqs_queue.done.url }
