# A user pool as a project would have it: clients for people and machines, a domain, an API's scopes, a user in a group.
terraform {
  required_providers {
    aws = { source = "hashicorp/aws" }
  }
}

variable "length" {
  default = 10
}

variable "package" {
  default = ""
}

resource "aws_cognito_user_pool" "people" {
  name                     = "tf-people"
  username_attributes      = ["email"]
  auto_verified_attributes = ["email"]
  mfa_configuration        = "OPTIONAL"

  username_configuration {
    case_sensitive = false
  }

  software_token_mfa_configuration {
    enabled = true
  }

  password_policy {
    minimum_length                   = var.length
    require_lowercase                = true
    require_numbers                  = true
    require_symbols                  = false
    require_uppercase                = false
    temporary_password_validity_days = 3
  }

  admin_create_user_config {
    allow_admin_create_user_only = false
  }

  account_recovery_setting {
    recovery_mechanism {
      name     = "verified_email"
      priority = 1
    }
  }

  verification_message_template {
    default_email_option = "CONFIRM_WITH_CODE"
    email_subject        = "Your code"
    email_message        = "It is {####}"
  }

  schema {
    name                = "tenant"
    attribute_data_type = "String"
    mutable             = true
    string_attribute_constraints {
      min_length = "1"
      max_length = "32"
    }
  }

  tags = { stage = "test" }
}

resource "aws_cognito_resource_server" "api" {
  user_pool_id = aws_cognito_user_pool.people.id
  identifier   = "tf-api"
  name         = "API"

  scope {
    scope_name        = "read"
    scope_description = "Reading"
  }
}

resource "aws_cognito_user_pool_client" "web" {
  name                                 = "web"
  user_pool_id                         = aws_cognito_user_pool.people.id
  explicit_auth_flows                  = ["ALLOW_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"]
  prevent_user_existence_errors        = "ENABLED"
  supported_identity_providers         = ["COGNITO"]
  allowed_oauth_flows_user_pool_client = true
  allowed_oauth_flows                  = ["code"]
  allowed_oauth_scopes                 = ["openid", "email"]
  callback_urls                        = ["https://app.example.com/back"]
  access_token_validity                = 30

  token_validity_units {
    access_token = "minutes"
  }
}

resource "aws_cognito_user_pool_client" "machine" {
  name                                 = "machine"
  user_pool_id                         = aws_cognito_user_pool.people.id
  generate_secret                      = true
  allowed_oauth_flows_user_pool_client = true
  allowed_oauth_flows                  = ["client_credentials"]
  allowed_oauth_scopes                 = aws_cognito_resource_server.api.scope_identifiers
}

resource "aws_cognito_user_pool_domain" "people" {
  domain       = "tf-people"
  user_pool_id = aws_cognito_user_pool.people.id
}

resource "aws_cognito_user_group" "admins" {
  name         = "admins"
  user_pool_id = aws_cognito_user_pool.people.id
  precedence   = 1
}

resource "aws_cognito_user" "ada" {
  user_pool_id = aws_cognito_user_pool.people.id
  username     = "ada@example.com"
  password     = "correct-horse-1"

  attributes = {
    email          = "ada@example.com"
    email_verified = true
    tenant         = "t1"
  }
}

resource "aws_cognito_user_in_group" "ada" {
  user_pool_id = aws_cognito_user_pool.people.id
  group_name   = aws_cognito_user_group.admins.name
  username     = aws_cognito_user.ada.username
}

output "client" {
  value = aws_cognito_user_pool_client.web.id
}
