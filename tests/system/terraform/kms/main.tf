# Keys of every kind, an alias, a grant, a policy of its own.
terraform {
  required_providers {
    aws = { source = "hashicorp/aws" }
  }
}

variable "description" {
  default = "orders"
}

variable "rotates" {
  default = false
}

data "aws_caller_identity" "me" {}

resource "aws_iam_role" "worker" {
  name = "tf-kms-worker"
  assume_role_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "lambda.amazonaws.com" } }]
  })
}

resource "aws_kms_key" "orders" {
  description             = var.description
  deletion_window_in_days = 7
  enable_key_rotation     = var.rotates
  tags                    = { team = "red" }
}

resource "aws_kms_key" "own_policy" {
  deletion_window_in_days = 7
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      { Sid = "owner", Effect = "Allow", Action = "kms:*", Resource = "*", Principal = { AWS = "arn:aws:iam::${data.aws_caller_identity.me.account_id}:root" } },
      { Sid = "worker", Effect = "Allow", Action = ["kms:Decrypt"], Resource = "*", Principal = { AWS = aws_iam_role.worker.arn } },
    ]
  })
}

resource "aws_kms_key" "signer" {
  deletion_window_in_days  = 7
  key_usage                = "SIGN_VERIFY"
  customer_master_key_spec = "ECC_NIST_P256"
}

resource "aws_kms_alias" "orders" {
  name          = "alias/tf-orders"
  target_key_id = aws_kms_key.orders.key_id
}

resource "aws_kms_grant" "worker" {
  name              = "worker"
  key_id            = aws_kms_key.orders.key_id
  grantee_principal = aws_iam_role.worker.arn
  operations        = ["Encrypt", "Decrypt"]
  constraints {
    encryption_context_equals = { team = "red" }
  }
}

resource "aws_kms_ciphertext" "secret" {
  key_id    = aws_kms_key.orders.key_id
  plaintext = "secret"
  context   = { team = "red" }
}
