# Who may what (groups, profiles, an identity provider, the account's settings), access logs, an imported table.
terraform {
  required_providers { aws = { source = "hashicorp/aws" } }
}

variable "changed" { default = false }

resource "aws_iam_group" "g" { name = "team" }
resource "aws_iam_user" "u" {
  name          = "worker"
  tags          = { a = "1" }
  force_destroy = true
}
resource "aws_iam_access_key" "k" {
  user   = aws_iam_user.u.name
  status = var.changed ? "Inactive" : "Active"
}
resource "aws_iam_user_login_profile" "l" {
  user                    = aws_iam_user.u.name
  password_reset_required = true
}
resource "aws_iam_user_policy" "own" {
  name   = "own"
  user   = aws_iam_user.u.name
  policy = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = "iam:ChangePassword", Resource = aws_iam_user.u.arn }] })
}
resource "aws_iam_group_membership" "m" {
  name  = "m"
  group = aws_iam_group.g.name
  users = [aws_iam_user.u.name]
}
resource "aws_iam_policy" "p" {
  name   = "readers"
  policy = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = var.changed ? ["s3:GetObject", "s3:PutObject"] : ["s3:GetObject"], Resource = "*" }] })
}
resource "aws_iam_group_policy_attachment" "a" {
  group      = aws_iam_group.g.name
  policy_arn = aws_iam_policy.p.arn
}
resource "aws_iam_role" "r" {
  name               = "machine"
  assume_role_policy = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "ec2.amazonaws.com" } }] })
}
resource "aws_iam_instance_profile" "i" {
  name = "machine"
  role = aws_iam_role.r.name
}
resource "aws_iam_openid_connect_provider" "o" {
  url             = "https://token.actions.githubusercontent.com"
  client_id_list  = var.changed ? ["sts.amazonaws.com", "other"] : ["sts.amazonaws.com"]
  thumbprint_list = ["6938fd4d98bab03faadb97b34396831e3780aea1"]
}
resource "aws_iam_role" "web" {
  name               = "web"
  assume_role_policy = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = "sts:AssumeRoleWithWebIdentity", Principal = { Federated = aws_iam_openid_connect_provider.o.arn }, Condition = { StringEquals = { "token.actions.githubusercontent.com:aud" = "sts.amazonaws.com" } } }] })
}
resource "aws_iam_account_alias" "alias" { account_alias = "weir-here" }
resource "aws_iam_account_password_policy" "strict" {
  minimum_password_length = var.changed ? 16 : 12
  require_numbers         = true
}
resource "aws_s3_bucket" "b" { bucket = "tf-data-bucket" }
resource "aws_s3_bucket" "logs" {
  bucket        = "tf-logs-bucket"
  force_destroy = true
}
resource "aws_s3_bucket_policy" "logs" {
  bucket = aws_s3_bucket.logs.id
  policy = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = "s3:PutObject", Principal = { Service = "logging.s3.amazonaws.com" }, Resource = "${aws_s3_bucket.logs.arn}/*" }] })
}
resource "aws_s3_bucket_logging" "l" {
  bucket        = aws_s3_bucket.b.id
  target_bucket = aws_s3_bucket.logs.id
  target_prefix = var.changed ? "other/" : "log/"
  target_object_key_format {
    partitioned_prefix { partition_date_source = "EventTime" }
  }
}
resource "aws_s3_object" "rows" {
  bucket  = aws_s3_bucket.b.id
  key     = "rows/a.csv"
  content = "id,name\n1,a\n2,b\n"
}
resource "aws_dynamodb_table" "t" {
  name         = "imported"
  billing_mode = "PAY_PER_REQUEST"
  hash_key     = "id"
  attribute {
    name = "id"
    type = "S"
  }
  import_table {
    input_format = "CSV"
    s3_bucket_source {
      bucket     = aws_s3_bucket.b.id
      key_prefix = "rows/"
    }
  }
  depends_on = [aws_s3_object.rows]
}

output "table" { value = aws_dynamodb_table.t.name }
output "provider" { value = aws_iam_openid_connect_provider.o.arn }
